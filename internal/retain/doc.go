// Package retain knows how long a CRM's records may be kept: rules by the calendar,
// the dates that the CRMs write, and what both say of one record. It also keeps the
// work list of records that are overdue, through to the proof of their deletion.
package retain
