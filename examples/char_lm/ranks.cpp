// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "ranks.hpp"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <string>
#include <thread>

#ifdef CHAR_LM_MPI
#include "minrnn/distributed/mpi_communicator.hpp"
#endif

namespace char_lm {
namespace {

/// The first of these variables of the environment that has a number above 0; else 0.
Index number_from_environment(std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (const char* text = std::getenv(name); text != nullptr && std::atol(text) > 0) return std::atol(text);
  return 0;
}

/// What mpirun of Open MPI, of MPICH and its relatives, and srun tell a program of how many it is one; 0: none did.
Index ranks_of_launcher() {
  return number_from_environment({"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS"});
}

}  // namespace

Ranks::Ranks() : launched_(ranks_of_launcher() > 0) {
  const Index wanted = ranks_of_launcher();
  const auto refuse = [&](const std::string& reason) {
    if (number_from_environment({"OMPI_COMM_WORLD_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK", "SLURM_PROCID"}) > 0)
      throw OtherRankFailed();
    throw InputError("started as one of " + std::to_string(wanted) + reason);
  };
#ifdef CHAR_LM_MPI
  if (launched_) communicator_ = std::make_unique<minrnn::MpiCommunicator>();
  if (wanted > 1 && communicator_->size() == 1)
    refuse(" by the mpirun of another MPI library than the one that it was built with");
#else
  if (wanted > 1)
    refuse(", but built without MPI: install an MPI library, on Debian libopenmpi-dev and openmpi-bin, and build anew");
#endif
  if (communicator_ == nullptr) communicator_ = std::make_unique<minrnn::OneRank>();
}

Ranks::~Ranks() = default;

Index Ranks::threads() const {
  if (!launched_) return 0;
  const Index on_this_machine =
      number_from_environment({"OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", "MV2_COMM_WORLD_LOCAL_SIZE"});
  const auto cores = static_cast<Index>(std::thread::hardware_concurrency());
  return std::max<Index>(cores / std::max<Index>(on_this_machine, 1), 1);
}

int Ranks::after_failure(int status) {
#ifdef CHAR_LM_MPI
  if (size() > 1 && !end_together_) static_cast<minrnn::MpiCommunicator&>(*communicator_).abort(status);
#endif
  return status;
}

}  // namespace char_lm
