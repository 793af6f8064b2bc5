SELECT payload FROM "#"
