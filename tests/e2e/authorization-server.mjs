// A real authorization server for the end-to-end tests: oidc-provider on 127.0.0.1.
//
//   E2E_TOKEN_TTL=2 E2E_PORT=0 node authorization-server.mjs
//
// Prints one JSON line on stdout when it answers, everything else on stderr, and ends when its
// standard input closes. State is in memory: a restart forgets all tokens.
//
// What has to be configured in oidc-provider, and why:
// - `defaultResource` gives a request without `resource` our only one. Without it such a request
//   works too, but the token has no audience, oidc-provider's own lifetime (600 s), and only the
//   scopes listed in `scopes`.
// - `getResourceServerInfo` is required: it says which scopes, lifetime and format the tokens of a
//   resource have, and it is the place to refuse an unknown resource (invalid_target).
// - `useGrantedResource` plays no part in client_credentials. It lets a login without `resource`
//   at the token endpoint keep the resource it was granted; set for the flows to come.
// - A scope is refused (invalid_scope) only if it is listed in `scopes` but not in the client's own
//   `scope`. A scope nobody knows is dropped: the answer's `scope` then is smaller than asked.
//
// Later: a client with `redirect_uris` and the grants `authorization_code` and `refresh_token` can
// log in on the devInteractions pages (on by default); `deviceFlow: { enabled: true }` is a feature.
import { createServer } from 'node:http';

// oidc-provider prints notices with console.info; stdout is for the one line the tests read.
console.log = console.info = console.error;
const { default: Provider, errors } = await import('oidc-provider');

const ttl = Number(process.env.E2E_TOKEN_TTL ?? 3600);
const resource = 'https://llm.example/v1';
const scope = 'llm.read llm.write';

// RFC 6749 allows only the visible ASCII characters and the space in a client's id and secret
// (appendix A), and oidc-provider holds to it: no UTF-8 here.
const caller = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [], scope };
const checker = { ...caller, grant_types: [] };
const clients = [
  { ...caller, client_id: 'service', client_secret: 'service-secret', token_endpoint_auth_method: 'client_secret_basic' },
  { ...caller, client_id: 'service-post', client_secret: 'service-post-secret', token_endpoint_auth_method: 'client_secret_post' },
  { ...caller, client_id: 'odd:%+&= id', client_secret: 'odd:%+&= secret/?#"\\~', token_endpoint_auth_method: 'client_secret_basic' },
  { ...checker, client_id: 'proxy', client_secret: 'proxy-secret' },
  { ...checker, client_id: 'gateway-admin', client_secret: 'gateway-admin-secret' },
];

const configuration = {
  clients,
  // llm.admin is known but allowed to no client, so asking for it is an error.
  scopes: ['openid', 'offline_access', ...scope.split(' '), 'llm.admin'],
  cookies: { keys: ['end-to-end tests only'] },
  features: {
    clientCredentials: { enabled: true },
    introspection: {
      enabled: true,
      // `proxy` stands for a resource server. To the others a foreign token is {"active":false}.
      allowedPolicy: (ctx, client, token) => client.clientId === 'proxy' || client.clientId === token.clientId,
    },
    revocation: {
      enabled: true,
      // As by default (a foreign token is an error), but `gateway-admin` may revoke all.
      allowedPolicy(ctx, client, token) {
        if (client.clientId === 'gateway-admin' || client.clientId === token.clientId) return true;
        throw new errors.InvalidRequest('client is not authorized to revoke the presented token');
      },
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx, client, oneOf) => oneOf ?? resource,
      useGrantedResource: () => true,
      getResourceServerInfo(ctx, identifier, client) {
        if (identifier !== resource) throw new errors.InvalidTarget();
        // oidc-provider takes a secret from the header and from the body alike. Being strict here
        // makes the test of client_secret_post mean something.
        const basic = ctx.headers.authorization !== undefined;
        if (ctx.oidc.route === 'token' && basic !== (client.clientAuthMethod === 'client_secret_basic')) {
          throw new errors.InvalidClientAuth('not the registered client authentication method');
        }
        // Opaque tokens: only introspection can tell what they are, and revocation takes effect.
        return { scope, audience: resource, accessTokenTTL: ttl, accessTokenFormat: 'opaque' };
      },
    },
  },
};

process.stdin.resume().on('close', () => process.exit(0)).on('end', () => process.exit(0));

const server = createServer();
server.listen(Number(process.env.E2E_PORT ?? 0), '127.0.0.1', async () => {
  // The issuer contains the port, so the provider is made once the port is known.
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, configuration);
  // One line per answer, for tests that count requests and for debugging: no tokens, no secrets.
  provider.use(async (ctx, next) => {
    await next();
    const client = ctx.oidc?.client?.clientId ?? '-';
    console.error(`${ctx.method} ${ctx.path} ${ctx.status} client=${client} error=${ctx.body?.error ?? '-'}`);
  });
  provider.on('server_error', (ctx, error) => console.error(error));
  server.on('request', provider.callback());

  const discovered = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
  const { token_endpoint, introspection_endpoint, revocation_endpoint } = discovered;
  const secrets = Object.fromEntries(clients.map((c) => [c.client_id, c.client_secret]));
  const ready = { issuer, token_endpoint, introspection_endpoint, revocation_endpoint, resource, clients: secrets };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
});
