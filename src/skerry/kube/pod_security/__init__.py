"""The Pod Security Standards, pure: which checks a level comes to, and what of a pod violates them."""
