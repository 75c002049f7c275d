"""What follows from a cell's pattern: pieces, winners, affine maps, regions, slopes."""
