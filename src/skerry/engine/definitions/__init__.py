"""CustomResourceDefinitions that come with the engine, for kinds that other people's software already speaks.

One file per API group says what they are, `all` lists them, `notation` is how they are written, `installing` puts them
into a cluster and says which of them are ours. Whoever installs the original (cert-manager, MetalLB) deletes ours
first; they do not come back, and our controllers leave objects of foreign definitions alone (docs/decisions/0036).
"""
