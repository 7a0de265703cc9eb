import { createServer } from 'node:net';

/** The wished port of 127.0.0.1 when nobody listens there, else one the system gives. */
export const freePort = (wish: number, host = '127.0.0.1'): Promise<number> =>
  listen(wish, host).catch(() => listen(0, host));

const listen = (port: number, host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, host, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : port));
    });
  });
