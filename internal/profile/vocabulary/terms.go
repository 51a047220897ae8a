package vocabulary

import "github.com/crmgate/crmgate/internal/access"

// rule gives a category to names that have one of its terms, or a word that ends
// with one of its ends, as German compounds do.
type rule struct {
	category    access.Category
	terms, ends string
}

// rules are tried in their order: what reveals most comes first.
func rules() []rule {
	return []rule{
		{
			access.Credential, "password,passwort,kennwort,passwd,pwd,pass phrase,secret,token,api key,otp,totp,pin,private key,credential," +
				"access key,auth key,session id,client secret,zugangsdaten", "password passwort kennwort",
		},
		{
			access.Special, "religion,religious,confession,konfession,church,kirche,kirchensteuer,health,gesundheit,diagnosis,diagnose,disease,illness," +
				"krankheit,medical,medication,medikament,allergy,allergie,disability,behinderung,schwerbehinderung,pregnant,pregnancy,schwanger," +
				"ethnicity,ethnic,race,ethnie,union,gewerkschaft,sexual,sexuality,orientation,political,politics,partei,blood group,blutgruppe," +
				"biometric,criminal,vorstrafe,treatment plan,insurance health,genetic", "diagnose krankheit",
		},
		{
			access.Identity, "passport,reisepass,pass nummer,ausweis,personalausweis,identity card,id card,id number,national id,personal id,ssn," +
				"social security,sozialversicherung,sozialversicherungsnummer,sv nummer,svnr,rvnr,kvnr,ahv,versichertennummer,versicherungsnummer," +
				"license,licence,driver license,fuehrerschein,kennzeichen,license plate,number plate,photo,foto,avatar,portrait,picture,profile image," +
				"gender,sex,geschlecht,nationality,nationalitaet,staatsangehoerigkeit,citizenship,marital,marital status,familienstand,civil status," +
				"signature,unterschrift,birth place,place of birth,geburtsort,birth name,geburtsname,maiden name,curp,cpf,dni,nif,nino,pesel", "ausweisnummer versicherungsnummer",
		},
		{
			access.TaxID, "tax id,tax number,tax no,tax code,vat,vat id,vat number,steuer id,steuernummer,steuer nr,steuer nummer,steuer identifikationsnummer," +
				"identifikationsnummer,ust id,ust idnr,umsatzsteuer,uid nummer,fiscal code,ein,tin", "steuernummer steuerid ustid",
		},
		{
			access.Bank, "iban,bic,swift,bank,bank account,account holder,kontoinhaber,konto,kontonummer,kto,blz,bankleitzahl,bankverbindung,card number," +
				"credit card,kreditkarte,kreditkartennummer,pan,sort code,routing number,sepa,mandate,mandat,mandatsreferenz,depot," +
				"salary,gehalt,income,einkommen,lohn,wage,net worth,credit score,schufa,bonitaet", "kontonummer gehalt einkommen",
		},
		{
			access.Birthdate, "birth,birthday,birthdate,birth date,date of birth,dob,born,geburtstag,geburtsdatum,geb datum,geb dat,gebdatum,geboren," +
				"geboren am,age,alter,date of death,died,sterbedatum,todestag", "geburtsdatum geburtstag birthdate birthday",
		},
		{access.Online, "ip address,mac address,web address,internet address", ""},
		{access.Email, "email,mail,e mail,email address,emailadresse,mailadresse,emailaddress,smtp", "email mailadresse mailaddress"},
		{
			access.Phone, "phone,telephone,tel,telefon,telefonnummer,rufnummer,fon,mobile,mobil,mobiltelefon,mobilnummer,handy,handynummer,cell,cellphone," +
				"fax,telefax,faxnummer,msisdn,whatsapp,durchwahl,extension,phone number,dial,dialed,caller,callee,sms", "phone telefon telefonnummer telefax rufnummer mobilnummer handynummer phonenumber",
		},
		{
			access.Address, "address,adresse,anschrift,street,strasse,str,hausnummer,house number,house no,hausnr,address line,city,town,stadt,ort,wohnort," +
				"ortsteil,locality,sublocality,zip,zip code,zipcode,postal,postal code,postcode,post code,plz,postleitzahl,state,province,region,bundesland,county," +
				"kanton,district,landkreis,country,country code,land,staat,latitude,longitude,lat,lng,lon,geo,geolocation,coordinates,koordinaten,po box,postfach," +
				"apartment,floor,stockwerk,etage,building,gebaeude,route,admin area,neighborhood,suburb,timezone,time zone", "adresse strasse postleitzahl hausnummer anschrift postalcode",
		},
		{
			access.Name, "first name,firstname,last name,lastname,surname,family name,familienname,full name,fullname,given name,middle name,forename,christian name," +
				"salutation,anrede,briefanrede,vorname,nachname,zuname,rufname,nickname,nick name,spitzname,display name,displayname,known as,alias,initials,initialen," +
				"prefix name,suffix name,name prefix,name suffix,title name,titel,academic title,person name,contact name,contact person,ansprechpartner,kontaktperson," +
				"spouse,partner name,ehepartner,ehegatte,child,children,kinder,mother,mutter,father,vater,parent name,beneficiary,employee name,mitarbeiter name,customer name," +
				"kundenname,recipient,recipients,empfaenger,sender,absender,attendee,attendees,teilnehmer,participant,participants,author,autor,vollname,name person", "vorname nachname lastname firstname familienname",
		},
		{
			access.Online, "ip,url,website,webseite,homepage,web,twitter,linkedin,xing,facebook,instagram,skype,youtube,tiktok,mastodon,bluesky,social," +
				"user name,username,benutzername,login,handle,device,device id,cookie,user agent,browser,imei,messenger,telegram,signal,domain,href,link,links", "website",
		},
		{
			access.FreeText, "note,notes,notiz,notizen,comment,comments,kommentar,kommentare,description,beschreibung,descr,desc,text,texte,remark,remarks,memo,subject," +
				"betreff,message,nachricht,body,content,inhalt,bemerkung,bemerkungen,anmerkung,summary,zusammenfassung,snippet,preview,history,verlauf,log,transcript," +
				"feedback,reason,grund,details,hinweis,hinweise,information,background,bio,about,question,answer,freitext,html,plain", "notiz bemerkung kommentar beschreibung text",
		},
	}
}

// Words of members that hold no personal data, where their values have the form.
const (
	// Flags are booleans that say something of the record, not of the person.
	Flags = "is has active aktiv archived archiviert deleted geloescht enabled disabled locked gesperrt primary default standard draft entwurf read unread " +
		"open closed starred pinned hidden visible editable readonly bulk update success more items collection next last empty truncated partial"
	// Stamps are the moments at which a record was changed.
	Stamps = "created modified changed updated added inserted deleted archived synced imported erstellt angelegt geaendert aktualisiert create update modify add insert change last on at am date time " +
		"timestamp utc creation cdate mdate udate ctime mtime datum zeit createdate lastmodifieddate modifieddate createddate"
	// Counts are numbers that are about lists and versions.
	Counts = "count total anzahl gesamt version revision position sort order index limit offset page pages pagesize size per start skip rows number of items results"
)

const (
	// Sums are numbers that are about things: prices and stocks, of an order and not of
	// a person. Measures are texts beside them, and what a text is written in.
	Sums     = "amount price quantity stock total net gross discount rating rate probability percent unit betrag preis menge summe rabatt wahrscheinlichkeit"
	Measures = "currency locale language unit version etag code iso waehrung sprache einheit"
)

const (
	// Envelope are members around a list of records.
	Envelope = "items data results result value values list records entries rows content elements objects hits documents docs collection edges node nodes item entity response payload embedded " +
		"daten liste eintraege ergebnisse treffer meta metadata paging pagination cursor next previous prev link links href self first after before has"
	// Types are words of members that say of which type a record is.
	Types = "type types scope entity class module model resource object kind collection table target"
	// technical are words of addresses and of members that name nothing of a record.
	technical = "api rest crm services service data objects object odata public private internal v version json rpc web app admin index sites site tenant instance org " +
		"id ids uuid guid key keys type types kind class scope entity model module resource table field fields name names label labels status stage state code codes properties property attributes attribute " +
		"custom customfields associations association relationships relation error errors message success additional currency amount price locale language lang uri etag context score rank"
	// Changes are words for what happened to a record at the moment of a stamp.
	Changes = "creation cdate mdate udate ctime mtime created modified changed updated added synced imported erstellt angelegt geaendert aktualisiert create update modify add createdate lastmodifieddate modifieddate createddate"
	// Persons are words of records that are people, Objects those that are none.
	Persons = "person contact customer client employee user lead patient author member student guest donor candidate applicant subscriber attendee participant kunde kontakt " +
		"mitarbeiter partner mitglied teilnehmer ansprechpartner benutzer interessent owner party"
	Objects = "product campaign segment stage pipeline team group role tag category field column currency country setting language unit template list folder report dashboard license permission type produkt kategorie"
	// Employees are words of objects in a record that are the CRM's own users.
	Employees = "owner creator assignee assigned created modified updated by user added last betreuer bearbeiter ersteller"
	// States are words of members that say of what kind a record is, or how it stands.
	States = "type types kind status stage class category role priority source currency severity visibility channel format typ art kategorie prioritaet quelle waehrung object entity module model doctype phase"
	// Shapes are names of parameters that say in which form, or with how much besides, records come.
	Shapes = "include includes embed expand with brief view format pretty since updatedsince modifiedsince lang locale language"
	// Sorts, Directions, Selects, Searches and Paging are names of parameters by what they do.
	Sorts      = "sort order orderby sortby ordering sorting sortierung sortfield sorts"
	Directions = "order sortorder direction dir desc asc sortdirection sortdir sortorder richtung descending ascending"
	Selects    = "fields select properties columns attributes attributeselect felder props fieldset"
	Searches   = "q query search term suche keyword keywords suchbegriff searchterm text fulltext"
	Paging     = "limit offset page pagesize perpage per size max maxsize count cursor skip top take start startat rows format locale lang language tz pagenumber pagelimit pageoffset pagetoken nocache timestamp"
	// IDs are names of the member that holds a record's id, best first.
	IDs = "id uuid guid oid uid vid rid sysid recordid"
	// parameters are names of query parameters.
	parameters = "q query search term filter filters where sort order by direction dir desc asc limit offset page size per cursor after before since until from to fields select include expand embed with format callback start skip top take"
	// verbs are last steps of addresses that say what is done with the records.
	verbs = "search find query list batch read get create update delete upsert save edit new export import count filter filters recent recents all me by group groupby paged page merge clone copy archive restore lookup autocomplete suggest suggestions " +
		"suche suchen liste anlegen aendern loeschen"
	// things are what CRMs keep records of.
	things = "organisation organization party patient member applicant candidate subscriber note task call event email mail message attachment file image comment tag segment campaign product offer " +
		"invoice contract case claim policy deal opportunity pipeline user owner team group role employee company customer supplier vendor contact person lead account meeting appointment activity " +
		"order payment subscription visit household donor donation student guest tenant client address folder settings session login logout auth profile home dashboard report reports static assets favicon"
)

// plurals are words whose singular no rule makes: each plural with its singular.
const plurals = " " +
	"people=person personen=person kontakte=kontakt kunden=kunde firmen=firma adressen=adresse aktivitaeten=aktivitaet " +
	"mitarbeiter=mitarbeiter notizen=notiz rechnungen=rechnung vertraege=vertrag angebote=angebot auftraege=auftrag " +
	"termine=termin aufgaben=aufgabe benutzer=benutzer patienten=patient interessenten=interessent lieferanten=lieferant " +
	"mitglieder=mitglied anrufe=anruf nachrichten=nachricht faelle=fall vorgaenge=vorgang ansprechpartner=ansprechpartner " +
	"partner=partner addresses=address children=child status=status series=series news=news canvas=canvas "
