#!/usr/bin/env bash
# Static checks of the whole checkout.
set -euo pipefail
yamllint --strict .
ansible-lint --offline --profile production --strict
antsibull-changelog lint
antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=self .
