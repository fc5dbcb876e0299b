"""What every call passes on its way to a server: limits, circuit, budgets and kept answers, with a real server and a real Redis."""

import json
from decimal import Decimal

import pytest
from PIL import Image
from test_api_backend import *  # noqa: F403
