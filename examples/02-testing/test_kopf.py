"""kopf: an operator with a finalizer and a timer, its custom resource, and what it makes."""

import time

import kopf
import pytest
from kopf.testing import KopfRunner
from kubernetes import client, config

from skerry.testing import Cluster
