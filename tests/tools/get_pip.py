# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands in for the get-pip script that ansible-test would download: the pip that Python itself bundles, then the packages.

Each step is a process of its own: inside this one ensurepip would point PIP_CONFIG_FILE at the null device for all that follows.
"""

from __future__ import annotations

import os
import subprocess
import sys

environment = {name: value for name, value in os.environ.items() if name != "GET_PIP"}
arguments = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
subprocess.run([sys.executable, "-m", "ensurepip", "--upgrade"], check=True, env=environment, stdout=subprocess.DEVNULL)
if any(not argument.startswith("-") for argument in arguments):
    subprocess.run([sys.executable, "-m", "pip", "install", *arguments], check=True, env=environment)
