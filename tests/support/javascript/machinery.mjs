// What a program with @kubernetes/client-node does: objects, a patch, a server-side apply, a watch, an informer.
// Usage: node machinery.mjs KUBECONFIG NAMESPACE. Writes what it saw as one line of JSON.
import * as k8s from '@kubernetes/client-node';

const [kubeconfig, namespace] = process.argv.slice(2);
const config = new k8s.KubeConfig();
config.loadFromFile(kubeconfig);
const core = config.makeApiClient(k8s.CoreV1Api);
const seen = {};

await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'c' }, data: { a: '1' } } });
await core.patchNamespacedConfigMap(
  { name: 'c', namespace, body: { data: { b: '2' } } },
  k8s.setHeaderOptions('Content-Type', k8s.PatchStrategy.MergePatch),
);
seen.patched = (await core.readNamespacedConfigMap({ name: 'c', namespace })).data;
try {
  await core.readNamespacedConfigMap({ name: 'nobody', namespace });
} catch (error) {
  seen.missing = error.code;
}

const objects = k8s.KubernetesObjectApi.makeApiClient(config);
const applied = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace }, data: { c: '3' } };
const merged = await objects.patch(applied, undefined, undefined, 'owner', undefined, k8s.PatchStrategy.ServerSideApply);
seen.applied = merged.data;

const until = (arrange) => new Promise((resolve, reject) => arrange(resolve, reject));

seen.watched = await until((resolve, reject) => {
  const types = [];
  new k8s.Watch(config)
    .watch(
      `/api/v1/namespaces/${namespace}/configmaps`,
      { fieldSelector: 'metadata.name=c' },
      async (type) => {
        types.push(type);
        if (type === 'ADDED') await core.deleteNamespacedConfigMap({ name: 'c', namespace });
        if (type === 'DELETED') resolve(types);
      },
      (error) => error && error.name !== 'AbortError' && reject(error),
    )
    .then((controller) => setTimeout(() => controller.abort(), 60000).unref());
});

const list = () => core.listNamespacedPod({ namespace });
const informer = k8s.makeInformer(config, `/api/v1/namespaces/${namespace}/pods`, list);
seen.informed = await until((resolve, reject) => {
  const phases = [];
  const note = async (pod) => {
    phases.push(pod.status.phase);
    if (pod.status.phase === 'Running' && !pod.metadata.deletionTimestamp) {
      await core.deleteNamespacedPod({ name: 'p', namespace }).catch(() => {});
    }
  };
  informer.on('add', note);
  informer.on('update', note);
  informer.on('delete', () => resolve(phases));
  informer.on('error', reject);
  informer.start().then(() =>
    core.createNamespacedPod({
      namespace,
      body: { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } },
    }),
  );
});
await informer.stop();
console.log(JSON.stringify(seen));
process.exit(0);
