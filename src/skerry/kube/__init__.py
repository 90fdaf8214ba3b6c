"""What everyone shares: objects, quantities, selectors, errors, client, informer, controller.

It imports no other part of Skerry.
"""
