# What `cpack` makes: a package of Debian's, libminrnn-dev, and an archive of the same headers and CMake package for any
# other system. The preset `package` builds neither tests nor examples first.
set(CPACK_PACKAGE_NAME minrnn)
set(CPACK_PACKAGE_VENDOR "The minrnn authors")
set(CPACK_PACKAGE_FILE_NAME minrnn-${PROJECT_VERSION})  # of no system: there is nothing to run in it
set(CPACK_GENERATOR DEB TGZ)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_LIST_DIR}/components.cmake)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
    WORLD_READ WORLD_EXECUTE)
set(CPACK_PACKAGE_DESCRIPTION
    "Layers that are trained in parallel over time and stream one frame at a time
with the same weights, on an ordinary CPU: minGRU, minLSTM, GRU, LSTM, Mamba,
attention and what is built of them, with gradients, optimizers, losses and
checkpoints. A header-only C++20 library with a CMake package.")
set(CPACK_ARCHIVE_COMPONENT_INSTALL ON)

# Debian wants an address: that of whoever builds the package, in the variables that its other tools read.
set(maintainer "The minrnn authors <minrnn@example.invalid>")
if(NOT "$ENV{DEBEMAIL}" STREQUAL "" AND NOT "$ENV{DEBFULLNAME}" STREQUAL "")
  set(maintainer "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
endif()
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_NAME libminrnn-dev)
set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER ${maintainer})
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libeigen3-dev (>= 3.4)")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS nlohmann-json3-dev)  # for minrnn::io
set(CPACK_DEBIAN_PACKAGE_SUGGESTS mpi-default-dev)       # for minrnn::mpi

# What a package of Debian's has in its folder of documents. The time is SOURCE_DATE_EPOCH where that is set.
set(debian_dir ${PROJECT_BINARY_DIR}/debian)
set(debian_doc_dir ${CMAKE_INSTALL_DATADIR}/doc/libminrnn-dev)
file(READ ${PROJECT_SOURCE_DIR}/LICENSE licence)
string(REGEX MATCH "Copyright [^\n]*" copyright "${licence}")
string(REGEX REPLACE "^Copyright \\(c\\) " "" copyright "${copyright}")
string(REGEX REPLACE "^.*\n(Permission is.*[^\n])\n*$" "\\1" licence "${licence}")
string(REPLACE "\n" "\n " licence "${licence}")
string(REPLACE "\n \n" "\n .\n" licence "${licence}")
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file(${CMAKE_CURRENT_LIST_DIR}/debian/copyright.in ${debian_dir}/copyright @ONLY)
configure_file(${CMAKE_CURRENT_LIST_DIR}/debian/changelog.in ${debian_dir}/changelog @ONLY)
file(ARCHIVE_CREATE OUTPUT ${debian_dir}/changelog.gz PATHS ${debian_dir}/changelog FORMAT raw COMPRESSION GZip
     COMPRESSION_LEVEL 9)
install(FILES ${debian_dir}/copyright ${debian_dir}/changelog.gz DESTINATION ${debian_doc_dir}
        COMPONENT minrnn_debian EXCLUDE_FROM_ALL)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION . COMPONENT minrnn_archive EXCLUDE_FROM_ALL)
include(CPack)
