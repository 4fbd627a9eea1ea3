/** An address without the name and password that a file may have put into it: nobody who only looks needs them. */
export const withoutLogin = (url: string): string => url.replace(/^(\w+:\/\/)[^/]*@/, '$1');
