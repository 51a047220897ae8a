namespace kontor;

entity Customers {
  key ID         : UUID;
      firstName  : String(100);
      lastName   : String(100);
      email      : String(200);
      phone      : String(50);
      birthDate  : Date;
      iban       : String(34);
      city       : String(100);
      segment    : String(20);
      vip        : Boolean;
      notes      : LargeString;
      modifiedAt : Timestamp @odata.etag;
      orders     : Composition of many Orders on orders.customer = $self;
}

entity Orders {
  key ID       : Integer;
      title    : String(100);
      amount   : Decimal(12, 2);
      currency : String(3);
      customer : Association to Customers;
}

@path: '/odata/v4/crm'
service CrmService {
  @cds.search: { firstName, lastName, email, phone, notes }
  entity Customers as projection on kontor.Customers;
  entity Orders    as projection on kontor.Orders;
}
