# minrnn::io and minrnn::mpi are components with export sets of their own, so that find_package(minrnn) asks for Eigen
# and nothing else.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/minrnn)

install(TARGETS minrnn EXPORT minrnnTargets FILE_SET HEADERS)
install(EXPORT minrnnTargets NAMESPACE minrnn:: DESTINATION ${package_dir})
if(MINRNN_IO)
  install(TARGETS minrnn_io EXPORT minrnnIoTargets FILE_SET HEADERS)
  install(EXPORT minrnnIoTargets NAMESPACE minrnn:: DESTINATION ${package_dir})
endif()
if(MINRNN_MPI)
  install(TARGETS minrnn_mpi EXPORT minrnnMpiTargets FILE_SET HEADERS)
  install(EXPORT minrnnMpiTargets NAMESPACE minrnn:: DESTINATION ${package_dir})
endif()

configure_package_config_file(cmake/minrnnConfig.cmake.in minrnnConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(minrnnConfigVersion.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/minrnnConfig.cmake ${PROJECT_BINARY_DIR}/minrnnConfigVersion.cmake
        DESTINATION ${package_dir})

configure_file(cmake/minrnn.pc.in minrnn.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/minrnn.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)
