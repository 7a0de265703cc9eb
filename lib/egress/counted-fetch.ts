/** A fetch whose requests are counted. */
import type { NodeFetch } from './fetch.ts';

/** `fetch`; `count` hears of each request when its answer begins, with status 0 of one that got none. */
export const countedFetch =
  (fetch: NodeFetch, count: (method: string, status: number) => void): NodeFetch =>
  async (url, init) => {
    const { method = 'GET' } = init;
    try {
      const answer = await fetch(url, init);
      count(method, answer.status);
      return answer;
    } catch (error) {
      count(method, 0);
      throw error;
    }
  };
