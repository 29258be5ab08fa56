// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// says: the parameters of this net have another scalar than Adam: write Adam adam(net)
#include "minrnn/layers/linear.hpp"
#include "minrnn/optim/adam.hpp"

#ifdef MINRNN_WRONG
using Scalar = float;
#else
using Scalar = double;
#endif

int main() {
  minrnn::Random random(1);
  minrnn::Linear<double> net(2, 3, random.stream(0));
  minrnn::Adam<Scalar> adam(net, {.learning_rate = 0.5});
  adam.step(net);
}
