"""The lemmas, by section of the paper and id of the claim that rests on them."""
