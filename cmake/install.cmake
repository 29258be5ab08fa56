# minrnn::io and minrnn::mpi are components with export sets of their own, so that find_package(minrnn) asks for Eigen
# and nothing else.
#
# Without MINRNN_INSTALL nothing of this is installed unless it is asked for, by cmake --install ... --component minrnn.
# It is there because CMake wants every target that an exported one links to be exported: so a library that links
# minrnn can be, and its package then asks for this one by find_dependency(minrnn).
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/minrnn)
set(component COMPONENT minrnn)
if(NOT MINRNN_INSTALL)
  list(APPEND component EXCLUDE_FROM_ALL)
endif()

set(export_minrnn minrnnTargets)
set(export_minrnn_io minrnnIoTargets)
set(export_minrnn_mpi minrnnMpiTargets)
foreach(target IN LISTS added)
  install(TARGETS ${target} EXPORT ${export_${target}} FILE_SET HEADERS ${component})
  install(EXPORT ${export_${target}} NAMESPACE minrnn:: DESTINATION ${package_dir} ${component})
endforeach()

configure_package_config_file(cmake/minrnnConfig.cmake.in minrnnConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(minrnnConfigVersion.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/minrnnConfig.cmake ${PROJECT_BINARY_DIR}/minrnnConfigVersion.cmake
        DESTINATION ${package_dir} ${component})

configure_file(cmake/minrnn.pc.in minrnn.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/minrnn.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig ${component})
