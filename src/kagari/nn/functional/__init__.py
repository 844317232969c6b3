"""torch.nn.functional: layers as functions. Each family is a file; the arithmetic is the core's."""

from .activation import *  # noqa: F403
from .attention import *  # noqa: F403
from .classification import *  # noqa: F403
from .convolution import *  # noqa: F403
from .distance import *  # noqa: F403
from .dropout import *  # noqa: F403
from .embedding import *  # noqa: F403
from .grouped import *  # noqa: F403
from .linear_cross_entropy import *  # noqa: F403
from .loss import *  # noqa: F403
from .multihead import *  # noqa: F403
from .norm import *  # noqa: F403
from .pooling import *  # noqa: F403
from .resize import *  # noqa: F403
from .sampling import *  # noqa: F403
from .shape import *  # noqa: F403
