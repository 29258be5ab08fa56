# What is installed, of minrnn alone and of a project that adds it: cmake -DROOT=... -DCONSUMER=... -DFOLDER=...
# -DGENERATOR=... -DCOMPILER=... -DEIGEN=... -DJSON=... -P installs.cmake. Nothing is compiled.
cmake_minimum_required(VERSION 3.23...4.0)
include(${CMAKE_CURRENT_LIST_DIR}/../support/run.cmake)
file(REMOVE_RECURSE ${FOLDER})

function(configure source name)
  run(${CMAKE_COMMAND} -S ${source} -B ${FOLDER}/${name} -G ${GENERATOR} -DCMAKE_CXX_COMPILER=${COMPILER} ${ARGN})
endfunction()
function(wants_installed prefix is_there)
  foreach(file IN LISTS ARGN)
    if(is_there AND NOT EXISTS ${FOLDER}/${prefix}/${file})
      message(SEND_ERROR "${prefix}: ${file} is not installed")
    elseif(NOT is_there AND EXISTS ${FOLDER}/${prefix}/${file})
      message(SEND_ERROR "${prefix}: ${file} is installed, and nobody has asked for it")
    endif()
  endforeach()
endfunction()
set(of_minrnn include/minrnn/minrnn.hpp share/cmake/minrnn/minrnnConfig.cmake share/pkgconfig/minrnn.pc)

# As README.md has it, and as if there were neither Eigen nor nlohmann-json nor MPI.
configure(${ROOT} alone -DMINRNN_BUILD_TESTS=OFF -DMINRNN_BUILD_EXAMPLES=OFF -DMINRNN_BUILD_BENCH=OFF
          -DCMAKE_DISABLE_FIND_PACKAGE_Eigen3=ON -DCMAKE_DISABLE_FIND_PACKAGE_nlohmann_json=ON
          -DCMAKE_DISABLE_FIND_PACKAGE_MPI=ON -DFETCHCONTENT_FULLY_DISCONNECTED=ON)
run(${CMAKE_COMMAND} --install ${FOLDER}/alone --prefix ${FOLDER}/prefix)
wants_installed(prefix TRUE ${of_minrnn} include/minrnn/io/checkpoint.hpp
                include/minrnn/distributed/mpi_communicator.hpp)
configure(${CONSUMER} found -DWAY=find_package_io -DCMAKE_PREFIX_PATH=${FOLDER}/prefix -DEigen3_DIR=${EIGEN}
          -Dnlohmann_json_DIR=${JSON})

configure(${CONSUMER} project -DWAY=two_parts -DMINRNN_SOURCE_DIR=${ROOT} -DEigen3_DIR=${EIGEN}
          -Dnlohmann_json_DIR=${JSON})
run(${CMAKE_COMMAND} --install ${FOLDER}/project --prefix ${FOLDER}/own)
wants_installed(own TRUE share/cmake/own/ownTargets.cmake)
wants_installed(own FALSE ${of_minrnn})
run(${CMAKE_COMMAND} --install ${FOLDER}/project --prefix ${FOLDER}/both --component minrnn)
wants_installed(both TRUE ${of_minrnn} include/minrnn/io/checkpoint.hpp)
