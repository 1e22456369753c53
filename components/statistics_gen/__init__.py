"""Statistics of each split, by TFDV. May be touched: which features are looked at, and how."""
