// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "conformance/suite.hpp"

MINRNN_TEST_CONFORMANCE(MambaLayers);
MINRNN_TEST_MIXER_CONFORMANCE(MambaMixers);
