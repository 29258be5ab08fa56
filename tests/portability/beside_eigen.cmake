# Writes a program that says `using namespace Eigen; using namespace minrnn;` and then each public name of minrnn: those
# that are declared in the namespace itself, at the beginning of a line.

# Sets `names` to the public names of a header.
function(minrnn_public_names header)
  file(READ ${header} text)
  string(REGEX REPLACE "[][;]" " " text "${text}")
  string(REGEX REPLACE "\nnamespace detail {\n[^\n]*\n}\n" "\n" text "${text}")
  set(found "namespace [a-z_:]+ {|}  // namespace|(class|struct|enum class|concept|using) [A-Za-z0-9_]+")
  string(APPEND found "|inline constexpr [A-Za-z_:]+ [A-Za-z0-9_]+|MINRNN_PACKET_FUNCTION[A-Z_]*\\([a-z_]+,")
  string(APPEND found "|[A-Za-z][^\n(=]*[ &*][a-z_0-9]+\\(")
  string(REGEX MATCHALL "\n(${found})" lines "${text}")
  set(names "")
  set(scopes "")
  foreach(line IN LISTS lines)
    if(line MATCHES "^\nnamespace ([a-z_:]+)")
      list(APPEND scopes ${CMAKE_MATCH_1})
    elseif(line MATCHES "^\n}")
      list(POP_BACK scopes)
    elseif("${scopes}" STREQUAL "minrnn" AND line MATCHES "([A-Za-z0-9_]+)[(,]?$")
      list(APPEND names ${CMAKE_MATCH_1})
    endif()
  endforeach()
  set(names ${names} PARENT_SCOPE)
endfunction()

set(includes "")
set(public_names "")
foreach(header IN LISTS headers io_headers)
  if(NOT header MATCHES "/open_mp.hpp$")
    string(APPEND includes "#include \"${header}\"\n")
    minrnn_public_names(${header})
    list(APPEND public_names ${names})
  endif()
endforeach()
list(REMOVE_DUPLICATES public_names)
list(LENGTH public_names count)
if(count LESS 200)
  message(SEND_ERROR "Only ${count} public names of minrnn are found")
endif()
list(REMOVE_ITEM public_names requires ${in_both})
list(JOIN public_names ";\nusing both::" usings)

file(CONFIGURE OUTPUT beside_eigen.cpp @ONLY CONTENT [[
#define EIGEN_USE_THREADS
#include <Eigen/Dense>
#include <type_traits>
#include <unsupported/Eigen/CXX11/Tensor>

@includes@
namespace both {
using namespace Eigen;
using namespace minrnn;
}  // namespace both

namespace program {
using both::@usings@;
}  // namespace program

namespace of_eigen {
using namespace Eigen;
using namespace minrnn;
static_assert(std::is_same_v<MatrixX<float>, minrnn::Matrix<float>>);
inline ArrayXf functions(const ArrayXf& x) { return exp(x) + log(x) * tanh(x); }
}  // namespace of_eigen

namespace of_minrnn {
using namespace Eigen;
using namespace minrnn;
using minrnn::Affine;
using minrnn::Matrix;
using minrnn::Sequential;
using minrnn::ThreadPool;
static_assert(std::is_same_v<Matrix<float>, MatrixX<float>>);
static_assert(!std::is_same_v<ThreadPool, Eigen::ThreadPool>);
}  // namespace of_minrnn
]])
