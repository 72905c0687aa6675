"""SuperPoint's second descriptor: 128 numbers in ALIKED's space, which LightGlue's free weights match."""
