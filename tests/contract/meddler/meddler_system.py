"""No cell uses it; it changes the process around it when it is imported, and fails."""

import os
import resource

hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
os.umask(0o777)
os.environ["NVIDIA_TF32_OVERRIDE"] = "1"
os.chdir("/")
raise RuntimeError("having done enough")
