// Logs, and exec over a WebSocket, with @kubernetes/client-node.
// Usage: node streams.mjs KUBECONFIG NAMESPACE POD. Writes what it saw as one line of JSON.
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import * as k8s from '@kubernetes/client-node';

const [kubeconfig, namespace, pod] = process.argv.slice(2);
const config = new k8s.KubeConfig();
config.loadFromFile(kubeconfig);
const exec = new k8s.Exec(config);

async function run(command, input) {
  const out = new PassThrough();
  const err = new PassThrough();
  const status = await new Promise((resolve, reject) => {
    exec.exec(namespace, pod, 'main', command, out, err, input, false, resolve).catch(reject);
  });
  out.end();
  err.end();
  return { out: await text(out), err: await text(err), status: status.status, causes: status.details?.causes };
}

const seen = {};
seen.echo = await run(['echo', 'hello  there'], null);
seen.failed = await run(['sh', '-c', 'echo why >&2; exit 7'], null);
seen.fed = await run(['head', '-n', '1'], Readable.from(['fed\n']));
const core = config.makeApiClient(k8s.CoreV1Api);
seen.log = await core.readNamespacedPodLog({ name: pod, namespace, tailLines: 1 });
console.log(JSON.stringify(seen));
process.exit(0);
