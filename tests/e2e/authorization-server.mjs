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
// - `useGrantedResource` lets a login without `resource` at the token endpoint keep the resource that
//   it was granted.
// - A scope is refused (invalid_scope) only if it is listed in `scopes` but not in the client's own
//   `scope`. A scope nobody knows is dropped: the answer's `scope` then is smaller than asked.
// - People log in on oidc-provider's own pages (devInteractions, on by default): any name and any
//   password will do. `application_type: 'native'` lets a loopback address have any port.
// - `rotateRefreshToken` is on for all clients. A refresh token that is used a second time ends the
//   whole login; that is oidc-provider's own doing.
// - `issueRefreshToken`: by default it takes the scope `offline_access`, which Google doesn't know.
//
// What isn't oidc-provider's: `POST /e2e/hold/before` holds the next token request back before the
// server looks at it, and `POST /e2e/hold/after` the next answer. Both are held until the client
// hangs up; the request that was held before is then never served.
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
const native = { application_type: 'native', scope: `openid ${scope}`, token_endpoint_auth_method: 'none' };
const person = {
  ...native,
  grant_types: ['authorization_code', 'refresh_token'],
  redirect_uris: ['http://127.0.0.1/'],
  response_types: ['code'],
};
const device = 'urn:ietf:params:oauth:grant-type:device_code';
const clients = [
  { ...caller, client_id: 'service', client_secret: 'service-secret', token_endpoint_auth_method: 'client_secret_basic' },
  { ...caller, client_id: 'service-post', client_secret: 'service-post-secret', token_endpoint_auth_method: 'client_secret_post' },
  { ...caller, client_id: 'odd:%+&= id', client_secret: 'odd:%+&= secret/?#"\\~', token_endpoint_auth_method: 'client_secret_basic' },
  { ...person, client_id: 'desktop' },
  // As Google's are: an installed program with a secret that is none.
  { ...person, client_id: 'installed', client_secret: 'installed-secret', token_endpoint_auth_method: 'client_secret_post' },
  { ...native, client_id: 'television', grant_types: [device, 'refresh_token'], redirect_uris: [], response_types: [] },
  { ...checker, client_id: 'proxy', client_secret: 'proxy-secret' },
  { ...checker, client_id: 'gateway-admin', client_secret: 'gateway-admin-secret' },
];

const configuration = {
  clients,
  // llm.admin is known but allowed to no client, so asking for it is an error.
  scopes: ['openid', 'offline_access', ...scope.split(' '), 'llm.admin'],
  cookies: { keys: ['end-to-end tests only'] },
  rotateRefreshToken: true,
  issueRefreshToken: (ctx, client) => client.grantTypeAllowed('refresh_token'),
  features: {
    deviceFlow: { enabled: true },
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
        const service = ctx.oidc.params?.grant_type === 'client_credentials';
        if (service && basic !== (client.clientAuthMethod === 'client_secret_basic')) {
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
    const grant = ctx.oidc?.params?.grant_type ?? '-';
    console.error(
      `${ctx.method} ${ctx.path} ${ctx.status} at=${Date.now()} grant=${grant} client=${client} error=${ctx.body?.error ?? '-'}`,
    );
  });
  let hold;
  provider.use(async (ctx, next) => {
    if (ctx.path.startsWith('/e2e/hold/')) {
      hold = ctx.path.slice('/e2e/hold/'.length);
      ctx.status = 204;
      return;
    }
    const held = ctx.path === '/token' ? hold : undefined;
    if (held === undefined) return next();
    hold = undefined;
    if (held === 'after') await next();
    else ctx.status = 499;
    console.error(`HELD ${held}`);
    await new Promise((resolve) => ctx.res.once('close', resolve));
  });
  provider.on('server_error', (ctx, error) => console.error(error));
  server.on('request', provider.callback());

  const discovered = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
  const { authorization_endpoint, token_endpoint, introspection_endpoint, revocation_endpoint } = discovered;
  const secrets = Object.fromEntries(clients.map((c) => [c.client_id, c.client_secret]));
  const endpoints = { authorization_endpoint, token_endpoint, introspection_endpoint, revocation_endpoint };
  const ready = { issuer, ...endpoints, resource, clients: secrets };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
});
