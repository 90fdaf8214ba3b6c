"""The frame that every page stands in: who looks, what they may see, forms, headers, languages, assets."""
