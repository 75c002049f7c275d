"""Programs in exact arithmetic: signs at points, and which affine maps are equal."""
