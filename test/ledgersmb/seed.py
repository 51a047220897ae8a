#!/usr/bin/python3
"""Makes a company in an empty LedgerSMB 1.6 and fills it through LedgerSMB's own pages, the same at every run.

    seed.py URL FACTS

Everybody in it is invented. Phone numbers are from the ranges that the Bundesnetzagentur reserves for films, mail
addresses end in .example, bank codes start with 99 (no clearing area) and VAT ids with DE99 (never issued). FACTS
lists each contact with the values that were entered.
"""
import base64
import html.parser
import http.cookiejar
import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

COMPANY = 'kontor'
USERS = [('hanna', 'Kontor-2024-h', 'Hanna', 'Feldkamp'), ('otto', 'Kontor-2024-o', 'Otto', 'Brinkhaus')]
# firm, contact person, street, postal code, city
FIRMS = [
    ('Bäckerei Hefebrink GmbH', 'Käthe Größling', 'Lerchensang 21', '50667', 'Köln'),
    ('Kranzbühler & Söhne KG', 'Jürgen Kranzbühler', 'Wiesenknopfweg 84', '20095', 'Hamburg'),
    ("Weiß's Autohaus <Süd>", 'Aylin Weißflog', 'Distelkamp 113', '80331', 'München'),
    ('Praxis Dr. Öztürkmen', 'Dr. Emre Öztürkmen', 'Rotdornbogen 17', '10115', 'Berlin'),
    ('Kanzlei Yıldırımoğlu', 'Elif Yıldırımoğlu', 'Zaunkönigsteig 5', '60311', 'Frankfurt am Main'),
]
# first name, last name, birth date, personal id
PERSON = ('Götz', 'Rüdesheimer', '1971-09-23', 'L01X00T471')


def iban(i):
    account = '99050000' + '%010d' % (7340000021 + 7919 * i)
    return 'DE%02d%s' % (98 - int(account + '131400') % 97, account)


def vat_id(i):
    digits, product = '99%06d' % (410273 + 31 * i), 10
    for d in digits:
        total = (int(d) + product) % 10 or 10
        product = total * 2 % 11
    return 'DE' + digits + str((11 - product) % 10)


class Forms(html.parser.HTMLParser):
    """The forms of a page with what a browser would send of them."""

    def __init__(self, page):
        super().__init__()
        self.forms, self.form, self.select, self.area = [], None, None, None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        if tag == 'form':
            self.form = {'fields': {}, 'actions': []}
            self.forms.append(self.form)
        if self.form is None:
            return
        if tag == 'input' and a.get('name') and (a.get('type') != 'checkbox' or 'checked' in a):
            self.form['fields'][a['name']] = a.get('value') or ''
        if tag == 'button' and a.get('name') == 'action':
            self.form['actions'].append(a.get('value'))
        if tag == 'select' and a.get('name'):
            self.select = a['name']
            self.form['fields'].setdefault(self.select, '')
        if tag == 'option' and self.select and 'selected' in a:
            self.form['fields'][self.select] = a.get('value') or ''
        if tag == 'textarea' and a.get('name'):
            self.area = a['name']
            self.form['fields'].setdefault(self.area, '')

    def handle_data(self, data):
        if self.area:
            self.form['fields'][self.area] += data

    def handle_endtag(self, tag):
        if tag == 'select':
            self.select = None
        if tag == 'textarea':
            self.area = None
        if tag == 'form':
            self.form = None


class Client:
    def __init__(self, url, user, password):
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.url, self.opener = url, urllib.request.build_opener(jar)
        self.opener.addheaders = [
            ('Authorization', 'Basic ' + base64.b64encode(f'{user}:{password}'.encode()).decode())]

    def ask(self, path, fields=None):
        data = None if fields is None else urllib.parse.urlencode(fields).encode()
        try:
            with self.opener.open(urllib.request.Request(self.url + path, data), timeout=120) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as e:
            raise SystemExit(f'{path} {fields}: {e.code}\n{e.read().decode("utf-8", "replace")[:2000]}') from e

    def send(self, page, action, **fields):
        """Fills a form in and presses a button; returns the page that follows."""
        for form in Forms(page).forms:
            if action in form['actions']:
                return self.ask('/contact.pl', {**form['fields'], **fields, 'action': action})
        raise SystemExit('no form with ' + action)


def found(pattern, page):
    return re.search(pattern, page).group(1)


def contact(client, i, page, name, person, street, code, city):
    """Adds to a new contact all that belongs to it."""
    mail, phone, mobile = f'kontakt{i}@firma{i}.example', f'+49 221 471071{i}', f'+49 171 392003{i}'
    note = f'{person} bittet um Rückruf unter {mobile}, Depression erwähnt.'
    entity = found(r'name="entity_id"[^>]*value="(\d+)"', page)
    for action, fields in [
            ('save_credit_new', dict(entity_class='2', account_class='2', ar_ap_account_id='10', meta_number=f'D-{700 + i}',
                description=f'Wartung {person}', pay_to_name=person, curr='EUR', creditlimit='5000')),
            ('save_new_location', dict(location_class='1', line_one=street, city=city, mail_code=code, country_id='57')),
            ('save_contact', dict(class_id='12', description=person, contact=mail)),
            ('save_contact', dict(class_id='1', description=person, contact=phone)),
            ('save_bank_account', dict(bic='MUSTDEFFXXX', iban=iban(i), remark=f'Konto {person}')),
            ('save_notes', dict(note_class='1', subject=f'Rückruf {person}', note=note))]:
        page = client.send(page, action, **fields)
    return {'id': entity, 'name': name, 'person': person, 'street': street, 'code': code, 'city': city, 'mail': mail,
        'phone': phone, 'mobile': mobile, 'bic': 'MUSTDEFFXXX', 'iban': iban(i), 'note': note, 'number': f'D-{700 + i}',
        'remark': f'Konto {person}', 'description': f'Wartung {person}', 'location': found(r'location_id=(\d+)', page),
        'credit': found(r'name="credit_id"[^>]*value="(\d+)"', client.ask(
            f'/contact.pl?action=get&entity_class=2&entity_id={entity}&meta_number=D-{700 + i}'))}


def main():
    url, facts = sys.argv[1:]
    setup = Client(url, 'lsmb_dbadmin', 'Einrichtung-2024')
    for fields in [dict(action='create_db'), dict(action='select_coa', coa_lc='de', chart='General.sql'),
            dict(action='load_templates', template_dir='demo')] + [
            dict(action='save_user', new_user='1', username=user, password=password, pls_import='0', salutation_id='1',
                first_name=first, last_name=last, employeenumber=f'E{i}', dob='1980-05-05', country_id='57', perms='1')
            for i, (user, password, first, last) in enumerate(USERS)]:
        setup.ask('/setup.pl', {'database': COMPANY, **fields})
    client = Client(url, *USERS[0][:2])
    client.ask(f'/login.pl?action=authenticate&company={COMPANY}')
    contacts = []
    for i, firm in enumerate(FIRMS):
        page = client.send(client.ask('/contact.pl?action=add'), 'save_company', entity_class='2', legal_name=firm[0],
            country_id='57', control_code=f'K{900 + i}', tax_id=vat_id(i))
        contacts.append({**contact(client, i, page, *firm), 'tax_id': vat_id(i), 'control_code': f'K{900 + i}'})
    first, last, born, ident = PERSON
    page = client.send(client.ask('/contact.pl?action=add'), 'save_person', entity_class='2', first_name=first, last_name=last,
        country_id='57', control_code='K950', personal_id=ident, birthdate=born, salutation_id='1')
    contacts.append({**contact(client, 7, page, f'{first} {last}', f'{first} {last}', 'Nachtigallental 66', '10115', 'Berlin'),
        'born': born, 'ident': ident, 'control_code': 'K950', 'last': last})
    with open(facts, 'w', encoding='utf-8') as out:
        json.dump({'company': COMPANY, 'users': {u: p for u, p, _, _ in USERS}, 'contacts': contacts}, out,
            ensure_ascii=False, indent=1)
        out.write('\n')


if __name__ == '__main__':
    main()
