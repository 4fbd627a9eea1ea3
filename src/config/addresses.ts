/** Whether a URL to listen on means every network of this box. */
export const isEverywhere = (url: string): boolean => /\/\/(0\.0\.0\.0|\[::\]):/.test(url);

/** Whether only this box itself can reach it. */
export const isLoopback = (url: string): boolean => /\/\/(127\.\d+\.\d+\.\d+|localhost|\[::1\]):/.test(url);
