"""Templates and snippets: their versions, what their plans say otherwise, and who may approve them."""
