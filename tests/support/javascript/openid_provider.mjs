// An OpenID Connect provider for tests, with people from a file that tests change while it runs.
// Usage: node openid_provider.mjs SETTINGS.json, with {port, client, accounts (a file), seconds (of access tokens)}.
// Pages: those of oidc-provider's own development mode, which take any password. Says "listening" when it does.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import Provider from 'oidc-provider';

const settings = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const issuer = `http://127.0.0.1:${settings.port}`;
const person = (sub) => JSON.parse(readFileSync(settings.accounts, 'utf8'))[sub];
const key = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
const cookies = Object.fromEntries(
  ['session', 'interaction', 'resume'].map((name) => [name, `_${name}_${settings.port}`]),
);

const provider = new Provider(issuer, {
  clients: [settings.client],
  jwks: { keys: [{ ...key(), use: 'sig', kid: randomBytes(4).toString('hex') }] },
  cookies: { names: cookies, keys: [randomBytes(16).toString('hex')] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'eduperson_entitlement', 'groups'] },
  scopes: ['openid', 'email', 'profile', 'offline_access'],
  features: { devInteractions: { enabled: true }, revocation: { enabled: true } },
  rotateRefreshToken: true,
  ttl: { AccessToken: settings.seconds, RefreshToken: 86400, Grant: 86400, Session: 86400, Interaction: 600, IdToken: 600 },
  findAccount: (_, sub) => person(sub) && { accountId: sub, claims: () => ({ sub, ...person(sub) }) },
});
provider.listen(settings.port, '127.0.0.1', () => console.log('listening'));
