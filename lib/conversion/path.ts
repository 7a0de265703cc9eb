/** Where the API server finds conversion: kpack's path (spec 01 §9.1). */
export const conversionPath = '/convert';
