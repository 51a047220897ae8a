#!/usr/bin/python3
"""Fills an empty Tryton 6.0 database with a small trading firm's CRM, the same at every run.

    seed.py CONFIG DATABASE FACTS

Everybody in it is invented. Phone numbers are from the ranges that the Bundesnetzagentur reserves for
films, mail and web addresses end in .example, bank codes start with 99 (no clearing area) and VAT ids with
DE99 (never issued). Surnames, streets and numbers occur once, so that a test can search for them in what
a client received. FACTS is that list: for each party all values in every form they may take on a wire.
"""
import datetime as dt
import hashlib
import json
import random
import struct
import sys
import zlib
from decimal import Decimal

from trytond.config import config

config.update_etc(sys.argv[1])
from trytond.pool import Pool                       # noqa: E402
from trytond.transaction import Transaction         # noqa: E402
from stdnum.iso7064 import mod_11_10                # noqa: E402

RANDOM = random.Random(27182)
FIRST_DAY = dt.date(2024, 6, 3)
OWN = 'Rheinkontor Handels GmbH'

# login, name, password, groups
STAFF = [
    ('vera', 'Vera Lindqvist', 'Vertrieb-2409!',
        ['sale.group_sale', 'sale_opportunity.group_opportunity']),
    ('paula', 'Paula Straßmann', 'Stammdaten-2013',
        ['party.group_party_admin', 'bank.group_bank_admin', 'sale.group_sale', 'sale.group_sale_admin',
            'sale_opportunity.group_opportunity', 'account.group_account']),
    ('markus', 'Markus Öchsner', 'Marketing-2058!', ['marketing.group_marketing']),
    (None, 'Ingo Tiedemann', None, []),
    ]
PEOPLE = '''Käthe Größling|Dr. Änne Weißflog|Friedrich von der Heydte|Zeynep Öztürkmen|Hans-Peter Straßberger
Agnieszka Kowalczewska|Jördis Müllerschön|Nguyet Phamova|Götz Rüdesheimer|Annegret Lohkampff|Björn Süßkindt
Svetlana Tschernikow|Uwe Brockschmidt|Greta Ahlfeldt|Emre Yıldırımoğlu|Wiebke Harmsdorff'''.replace('\n', '|').split('|')
# firm, the person to ask for
FIRMS = '''Spedition Kranzbühler GmbH/Claudia Kranzbühler|Bäckerei Hefebrink OHG/Rolf Hefebrink
Metallbau Eisenhutz KG/Sabine Eisenhutz|Möbelwerkstätten Buchenrodt GmbH/Ansgar Buchenrodt
Softwarehaus Nullmeyer AG/Leonie Nullmeyer|Apotheke am Zwölfertor e.K./Hildegard Zwölferin
Weinhandlung Rieslinger GmbH/Torsten Rieslinger|Druckerei Letternwald GmbH & Co. KG/Martina Letternwald
Autohaus Kolbenschlag GmbH/Detlef Kolbenschlag|Gärtnerei Rosenhügler e.K./Silke Rosenhügler
Hörgeräte Lauschberger GmbH/Volker Lauschberger|Optik Brennglaser OHG/Elif Brennglaser
Sanitär Rohrwasser GmbH/Malte Rohrwasser|Dachdeckerei Firstenau KG/Carsten Firstenau
Planungsbüro Zirkelbach PartG mbB/Gudrun Zirkelbach|Catering Löffelholtz UG/Aylin Löffelholtz
Gebäudereinigung Blankenfeldt GmbH/Dmitri Blankenfeldt|Elektrotechnik Funkenstein AG/Heike Funkenstein'''
FIRMS = [line.split('/') for line in FIRMS.replace('\n', '|').split('|')]
STREETS = '''Ahornkehre Birkenfurt Dachsbau Eulenwinkel Fasanenhof Ginsterpfad Haselstieg Immenkamp Jasminweg
Krähenhorst Lerchensang Mooskuhle Nelkenring Otterbrook Pappelgrund Quittengasse Rabentwiete Sanddornweg Tannenzeile
Ulmenrain Veilchenstieg Wacholderheide Zeisigtal Amselrück Brombeertrift Distelkamp Erlenbrink Fliedersaum Goldammerweg
Hagebuttenhof Irisgarten Kiebitzmoor Lindenschlag Mistelgasse Nachtigallental Obstwiesenweg Pirolstraße Rotdornbogen
Schlehenhang Teichrosenufer Wiesenknopfweg Zaunkönigsteig Binsenwerder Drosselgang'''.split()
# city, postal code, state, prefix of the invented numbers there
CITIES = [('Berlin', '10115', 'DE-BE', '30 23125'), ('Hamburg', '20095', 'DE-HH', '40 66969'),
    ('München', '80331', 'DE-BY', '89 99998'), ('Köln', '50667', 'DE-NW', '221 4710'),
    ('Frankfurt am Main', '60311', 'DE-HE', '69 90009')]
STATES = [('DE-BE', 'Berlin'), ('DE-HH', 'Hamburg'), ('DE-BY', 'Bayern'), ('DE-NW', 'Nordrhein-Westfalen'),
    ('DE-HE', 'Hessen')]
BANKS = [('Stadtsparkasse Musterstadt', '99050000', 'MUSTDEFFXXX'),
    ('Volksbank Beispielhausen eG', '99060111', 'BEISDEFFXXX')]
NOTES = [
    '{person} ist seit dem 14.02.2024 wegen einer Depression krankgeschrieben, Vertretung klären.',
    'Zahlt schleppend: Mahnbescheid über 4.812,55 EUR. Konto {iban}.',
    'Rückruf nur privat unter {mobile}, auch {mobile_plain} probieren.',
    'Schwerbehindertenausweis liegt vor (GdB 60), {person} bittet um Diskretion.',
    'Geburtstag am 23.09.1971. Angebot an {email} schicken, Betreff Wartung.',
    'Insolvenz angemeldet; Bankverbindung {iban_plain} nicht mehr benutzen.',
    ]
TRANSLITERATED = str.maketrans({'ä': 'ae', 'ö': 'oe', 'ü': 'ue', 'ß': 'ss', 'Ä': 'Ae', 'Ö': 'Oe', 'Ü': 'Ue',
    'ı': 'i', 'ğ': 'g', ' ': '-', '&': '', '.': ''})


def slug(text):
    parts = text.translate(TRANSLITERATED).lower().split('-')
    return '-'.join(p for p in parts if p)


def mailbox(person):
    return slug(person.replace('Dr. ', '')).replace('-', '.')


def iban(bank_code):
    account = bank_code + '%010d' % RANDOM.randrange(10 ** 9, 10 ** 10)
    number = 'DE%02d%s' % (98 - int(account + '131400') % 97, account)
    return ' '.join(number[i:i + 4] for i in range(0, len(number), 4))


def vat_id():
    digits = '99%06d' % RANDOM.randrange(10 ** 6)
    return 'DE' + digits + mod_11_10.calc_check_digit(digits)


def personal_tax_id():
    while True:
        digits = RANDOM.sample('0123456789', 10)
        digits[RANDOM.randrange(1, 9)] = digits[9]  # exactly one digit occurs twice
        if digits[0] != '0' and len(set(digits)) == 9:
            body = ''.join(digits)
            return body + mod_11_10.calc_check_digit(body)


def phone_forms(value):
    """The ways in which one number is written: international, compact, national, digits alone."""
    digits = value.replace(' ', '')[1:]
    _, area, rest = value.split(' ', 2)
    return [value, '+' + digits, digits, '0%s %s' % (area, rest), '0' + digits[2:], '00' + digits]


def png(rgb, size=24):
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    rows = (b'\0' + bytes(rgb) * size) * size
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', size, size, 8, 2, 0, 0, 0))
        + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))


def pdf(text):
    stream = b'BT /F1 12 Tf 50 780 Td (' + text.encode('latin-1', 'replace') + b') Tj ET'
    objects = [b'<</Type/Catalog/Pages 2 0 R>>', b'<</Type/Pages/Kids[3 0 R]/Count 1>>',
        b'<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>',
        b'<</Length %d>>stream\n' % len(stream) + stream + b'\nendstream',
        b'<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>']
    out, offsets = b'%PDF-1.4\n', []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b'%d 0 obj' % number + body + b'endobj\n'
    start = len(out)
    out += b'xref\n0 6\n0000000000 65535 f \n' + b''.join(b'%010d 00000 n \n' % o for o in offsets)
    return out + b'trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n' % start


class Seed:
    """One transaction's worth of records; each method makes one kind."""

    def __init__(self, transaction):
        self.transaction = transaction
        self.get = Pool().get
        self.facts = {}
        self.phone_number = 100
        self.mobile_number = 0
        self.streets = iter(STREETS)
        self.make_avatars_repeatable()
        self.geography()
        self.company()
        self.users()
        self.catalogue()
        self.banks()
        for i, (firm, person) in enumerate(FIRMS):
            self.party(i, firm, person)
        for i, person in enumerate(PEOPLE):
            self.party(len(FIRMS) + i, person, None)
        self.relations()
        self.notes_and_attachments()
        self.opportunities()
        self.marketing()
        self.read_back()

    def id_of(self, name):
        return self.get('ir.model.data').get_id(*name.split('.'))

    def make_avatars_repeatable(self):
        self.avatar = 0

        def default_uuid():
            self.avatar += 1
            return hashlib.sha256(b'avatar %d' % self.avatar).hexdigest()[:32]
        self.get('ir.avatar').default_uuid = default_uuid

    def geography(self):
        self.german, = self.get('ir.lang').search([('code', '=', 'de')])
        country, _ = self.get('country.country').create([
            {'name': 'Deutschland', 'code': 'DE', 'code3': 'DEU', 'code_numeric': '276'},
            {'name': 'Österreich', 'code': 'AT', 'code3': 'AUT', 'code_numeric': '040'}])
        self.country = country
        self.states = {s.code: s for s in self.get('country.subdivision').create(
                [{'name': n, 'code': c, 'type': 'state', 'country': country.id} for c, n in STATES])}
        self.get('country.postal_code').create([{'country': country.id, 'subdivision': self.states[state].id,
                    'postal_code': code, 'city': city} for city, code, state, _ in CITIES])
        self.euro, = self.get('currency.currency').create([
            {'name': 'Euro', 'symbol': '€', 'code': 'EUR', 'numeric_code': '978'}])
        self.get('currency.currency.rate').create([
            {'currency': self.euro.id, 'rate': Decimal(1), 'date': dt.date(2024, 1, 1)}])

    def address(self, city, attention=None):
        return {'street': '%s %d' % (next(self.streets), RANDOM.randrange(11, 180)), 'postal_code': city[1],
            'city': city[0], 'country': self.country.id, 'subdivision': self.states[city[2]].id,
            'party_name': attention}

    def phone(self, city):
        self.phone_number += 1
        return '+49 %s%03d' % (city[3], self.phone_number)

    def mobile(self):
        self.mobile_number += 1
        prefix = '171 39200' if self.mobile_number % 2 else '176 040690'
        return '+49 %s%02d' % (prefix, self.mobile_number)

    def company(self):
        Party, Company = self.get('party.party'), self.get('company.company')
        own, = Party.create([{'name': OWN, 'lang': self.german.id,
            'addresses': [('create', [self.address(CITIES[3])])],
            'identifiers': [('create', [{'type': 'eu_vat', 'code': vat_id()}])],
            'contact_mechanisms': [('create', [{'type': 'phone', 'value': self.phone(CITIES[3])},
                {'type': 'email', 'value': 'info@rheinkontor.example'}])]}])
        self.own, = Company.create([{'party': own.id, 'currency': self.euro.id, 'timezone': 'Europe/Berlin'}])
        self.transaction.set_context(company=self.own.id, employee=None)
        self.employees = self.get('company.employee').create([{'company': self.own.id, 'party': Party.create([{
            'name': name, 'lang': self.german.id, 'addresses': [('create', [self.address(CITIES[3])])],
            'contact_mechanisms': [('create', [
                {'type': 'email', 'value': mailbox(name) + '@rheinkontor.example'},
                {'type': 'phone', 'value': self.phone(CITIES[3])}])]}])[0].id} for _, name, _, _ in STAFF])

    def users(self):
        User = self.get('res.user')
        admin, = User.search([('login', '=', 'admin')])
        User.write([admin], {'companies': [('add', [self.own.id])], 'company': self.own.id})
        User.create([{'name': name, 'login': login, 'password': password, 'language': self.german.id,
                'email': mailbox(name) + '@rheinkontor.example',
                'groups': [('add', [self.id_of(g) for g in groups])],
                'companies': [('add', [self.own.id])], 'company': self.own.id,
                'employees': [('add', [employee.id])], 'employee': employee.id}
            for (login, name, password, groups), employee in zip(STAFF, self.employees) if login])
        Model = self.get('ir.model')
        Model.write(Model.search([('model', 'in',
                        ['party.party', 'party.contact_mechanism', 'sale.opportunity'])]), {'global_search_p': True})

    def catalogue(self):
        self.unit = self.get('product.uom')(self.id_of('product.uom_unit'))
        templates = self.get('product.template').create([{'name': name, 'default_uom': self.unit.id,
                'sale_uom': self.unit.id, 'type': kind, 'list_price': Decimal(price), 'salable': True,
                'products': [('create', [{'code': code}])]}
            for name, code, kind, price in [('Wartungsvertrag', 'WV', 'service', 490),
                ('Kühlgerät K200', 'K200', 'goods', 2350)]])
        self.products = [t.products[0] for t in templates]
        self.term, = self.get('account.invoice.payment_term').create([{'name': '14 Tage netto',
            'lines': [('create', [{'type': 'remainder',
                'relativedeltas': [('create', [{'days': 14}])]}])]}])
        self.categories = self.get('party.category').create(
            [{'name': name} for name in ('Kunde', 'Interessent', 'Lieferant', 'Privatperson')])
        self.forth, self.back = self.get('party.relation.type').create(
            [{'name': 'ist Ansprechpartner von'}, {'name': 'hat Ansprechpartner'}])
        self.forth.reverse, self.back.reverse = self.back, self.forth
        self.forth.save()
        self.back.save()

    def banks(self):
        parties = self.get('party.party').create([{'name': n, 'lang': self.german.id} for n, _, _ in BANKS])
        self.banks = self.get('bank').create(
            [{'party': p.id, 'bic': bic} for p, (_, _, bic) in zip(parties, BANKS)])

    def party(self, i, name, contact):
        city, person = CITIES[i % len(CITIES)], contact or name
        domain = slug(name) + '.example' if contact else 'post.example'
        email, phone, mobile = '%s@%s' % (mailbox(person), domain), self.phone(city), self.mobile()
        mechanisms = [{'type': 'phone', 'value': phone, 'name': 'Zentrale' if contact else None},
            {'type': 'mobile', 'value': mobile, 'name': contact}, {'type': 'email', 'value': email}]
        identifiers = [{'type': 'de_idnr', 'code': personal_tax_id()}]
        if contact:
            mechanisms += [{'type': 'website', 'value': 'https://www.%s/' % domain},
                {'type': 'email', 'value': 'rechnung@' + domain, 'name': 'Buchhaltung', 'comment': contact + ' fragen'}]
            identifiers = [{'type': 'eu_vat', 'code': vat_id()}, {'type': None, 'code': 'HRB %d' % (71500 + i)}]
        party, = self.get('party.party').create([{'name': name, 'lang': self.german.id,
            'addresses': [('create', [self.address(city, 'z. Hd. ' + contact if contact else None)])],
            'contact_mechanisms': [('create', mechanisms)], 'identifiers': [('create', identifiers)],
            'categories': [('add', [self.categories[i % 3 if contact else 3].id])],
            'active': i != len(FIRMS) + len(PEOPLE) - 1}])
        number = None
        if i % 4 != 3:
            number, bank = iban(BANKS[i % 2][1]), self.banks[i % 2]
            self.get('bank.account').create([{'bank': bank.id, 'currency': self.euro.id,
                'owners': [('add', [party.id])], 'numbers': [('create', [{'type': 'iban', 'number': number}])]}])
        self.facts[party.id] = {'person': person, 'is_person': contact is None, 'party': party, 'iban': number,
            'email': email, 'mobile': mobile, 'phone': phone, 'notes': [], 'attachments': [], 'opportunities': []}

    def firms(self):
        return [f for f in self.facts.values() if not f['is_person']]

    def persons(self):
        return [f for f in self.facts.values() if f['is_person']]

    def relations(self):
        self.get('party.relation.all').create([{'from_': person['party'].id, 'to': firm['party'].id,
            'type': self.forth.id} for person, firm in list(zip(self.persons(), self.firms()))[:6]])

    def note(self, fact, resource, text):
        message = text.format(person=fact['person'], iban=fact['iban'], iban_plain=(fact['iban'] or '').replace(' ', ''),
            email=fact['email'], mobile=fact['mobile'], mobile_plain=phone_forms(fact['mobile'])[4])
        note, = self.get('ir.note').create([{'resource': str(resource), 'message': message}])
        fact['notes'].append({'id': note.id, 'message': message})

    def attach(self, fact, resource, kind, data):
        name = '%s.%s' % (slug(fact['person']), kind)
        attachment, = self.get('ir.attachment').create([{'resource': str(resource), 'name': name, 'type': 'data',
            'data': data, 'description': 'Anlage zu ' + fact['person']}])
        fact['attachments'].append({'id': attachment.id, 'name': name, 'bytes': len(data)})

    def notes_and_attachments(self):
        with_account = [f for f in self.facts.values() if f['iban']]
        for i, fact in enumerate(with_account[::2]):
            self.note(fact, fact['party'], NOTES[i % len(NOTES)])
        for i, fact in enumerate(with_account[::4]):
            kind = ('pdf', 'txt', 'csv', 'png')[i % 4]
            self.attach(fact, fact['party'], kind, {
                'pdf': pdf('Vertrag mit %s, IBAN %s' % (fact['person'], fact['iban'])),
                'txt': ('Gesprächsnotiz %s, Tel. %s\n' % (fact['person'], fact['mobile'])).encode(),
                'csv': ('Name;E-Mail;IBAN\n%s;%s;%s\n' % (fact['person'], fact['email'],
                        fact['iban'])).encode('cp1252', 'replace'),
                'png': png((30 + i * 20, 120, 200))}[kind])

    def opportunities(self):
        Opportunity = self.get('sale.opportunity')
        made = []
        for i, fact in enumerate(self.firms()[:12]):
            party = fact['party']
            opportunity, = Opportunity.create([{'party': party.id, 'address': party.addresses[0].id,
                'contact': party.contact_mechanisms[1].id, 'company': self.own.id,
                'employee': self.employees[i % 2 * 3].id, 'start_date': FIRST_DAY - dt.timedelta(days=11 * i),
                'amount': Decimal(1000 + 1370 * i), 'conversion_probability': .25 * (i % 4),
                'payment_term': self.term.id, 'reference': 'ANF-%05d' % (40100 + i),
                'description': 'Angebot für ' + party.name,
                'comment': 'Erstkontakt mit %s (%s, mobil %s).' % (fact['person'], fact['email'], fact['mobile']),
                'lines': [('create', [{'product': self.products[i % 2].id, 'quantity': 1 + i, 'unit': self.unit.id}])]}])
            made.append(opportunity)
            fact['opportunities'].append(opportunity)
        Opportunity.opportunity(made[4:9])
        Opportunity.write(made[8:9], {'lost_reason': 'Zu teuer, sagt %s.' % self.firms()[8]['person']})
        Opportunity.lost(made[8:9])
        Opportunity.cancel(made[11:])
        for fact in self.firms()[:12:4]:
            self.note(fact, fact['opportunities'][0], 'Telefonat mit {person}, Rückruf unter {mobile}.')
        fact = self.firms()[1]
        self.attach(fact, fact['opportunities'][0], 'pdf', pdf('Angebot an ' + fact['person']))

    def marketing(self):
        letter, = self.get('marketing.email.list').create([{'name': 'Newsletter', 'language': self.german.id}])
        self.get('marketing.email').create(
            [{'email': f['email'], 'list_': letter.id} for f in list(self.facts.values())[::5]])
        self.get('web.user').create([{'email': f['email'], 'party': f['party'].id,
            'password': 'Kundin-%d-geheim!' % f['party'].id} for f in self.persons()[:3]])

    def read_back(self):
        """Takes the facts from the stored records, since Tryton rewrites what it is given."""
        Party = self.get('party.party')
        self.transaction.set_context(language='de')
        parties = Party.search([('active', 'in', [True, False])], order=[('id', 'ASC')])
        self.result = {'database': 'crm', 'company': self.own.party.id,
            'users': {login: {'id': self.get('res.user').search([('login', '=', login)])[0].id,
                    'name': name, 'password': password,
                    'email': mailbox(name) + '@rheinkontor.example'} for login, name, password, _ in STAFF if login},
            'parties': {str(p.id): self.fact(p) for p in parties}}
        self.result['users']['admin'] = {'id': 1, 'name': 'Administrator', 'password': 'Admin-2024-loopback',
            'email': 'admin@rheinkontor.example'}

    def fact(self, party):
        known = self.facts.get(party.id, {'person': party.name, 'is_person': False, 'notes': [], 'attachments': [],
            'opportunities': []})
        phones = [m for m in party.contact_mechanisms if m.type in ('phone', 'mobile')]
        numbers = [n for a in party.bank_accounts for n in a.numbers]
        return {'name': party.name, 'code': party.code, 'active': bool(party.active), 'person': known['person'],
            'is_person': known['is_person'], 'avatar_url': party.avatar_url,
            'categories': [c.name for c in party.categories],
            'phones': [{'id': m.id, 'type': m.type, 'value': m.value, 'forms': phone_forms(m.value)} for m in phones],
            'emails': [{'id': m.id, 'value': m.value} for m in party.contact_mechanisms if m.type == 'email'],
            'websites': [{'id': m.id, 'value': m.value} for m in party.contact_mechanisms if m.type == 'website'],
            'ibans': [{'account': n.account.id, 'id': n.id, 'value': n.number, 'compact': n.number_compact}
                for n in numbers],
            'identifiers': [{'id': n.id, 'type': n.type, 'code': n.code} for n in party.identifiers],
            'addresses': [{'id': a.id, 'street': a.street, 'postal_code': a.postal_code, 'city': a.city,
                    'attention': a.party_name, 'full': a.full_address} for a in party.addresses],
            'notes': known['notes'], 'attachments': known['attachments'],
            'opportunities': [{'id': o.id, 'number': o.number, 'reference': o.reference, 'state': o.state,
                    'comment': o.comment, 'description': o.description} for o in known['opportunities']]}


def main():
    _, _, database, facts = sys.argv
    Pool.start()
    Pool(database).init()
    with Transaction().start(database, 1, context={'language': 'de', '_check_access': False}) as transaction:
        seed = Seed(transaction)
        transaction.commit()
    with open(facts, 'w', encoding='utf-8') as out:
        json.dump(seed.result, out, ensure_ascii=False, indent=1, sort_keys=True)
        out.write('\n')


if __name__ == '__main__':
    main()
