"""`bench check`: a reviewer's look at a sampler that lies in no package."""
