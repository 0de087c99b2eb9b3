/** Whose shop this is: in the header, in titles and in sentences to buyers. */
export const vendorName = 'Latchkey demo vendor';
