/** Which compound this is; both parts are `Id`s of the configuration, so no wildcard can hide in them. */
export interface Site {
  readonly street: string;
  readonly id: string;
}

/** Every topic between a compound and its centre, in one place. */
export interface SiteTopics {
  /** `source` of every event; with `id` it names an event everywhere. */
  readonly source: string;
  event(category: string): string;
  /** retained; also the last will */
  readonly status: string;
  /** up, once asked for by an order: a picture or clip */
  readonly evidence: string;
  readonly reply: string;
  /** down */
  readonly order: string;
  readonly receipt: string;
}

export function topicsOf(site: Site): SiteTopics {
  const base = `quanwei/v1/${site.street}/${site.id}`;
  return {
    source: `//quanwei/${site.street}/${site.id}`,
    event: (category) => `${base}/event/${category}`,
    status: `${base}/status`,
    evidence: `${base}/evidence`,
    reply: `${base}/order/reply`,
    order: `${base}/order`,
    receipt: `${base}/receipt`,
  };
}
