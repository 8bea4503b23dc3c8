"""Commands that sample, encode, decode and interpolate: pictures and arrays without a YAML file."""
