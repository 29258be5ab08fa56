# SPDX-FileCopyrightText: The minrnn authors
# SPDX-License-Identifier: MIT
"""The recipe of the source tree that it stands in: conan create cmake/packaging/conan [-o minrnn/*:io=True]"""
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load


class Minrnn(ConanFile):
    name = "minrnn"
    description = "Minimal recurrent networks (minGRU, minLSTM) on Eigen"
    license = "MIT"
    topics = ("rnn", "recurrent-neural-network", "machine-learning", "eigen", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"io": [True, False]}
    default_options = {"io": False}
    no_copy_source = True
    implements = ["auto_header_only"]

    def set_version(self):
        version = load(self, os.path.join(self._root, "include", "minrnn", "version.hpp"))
        self.version = re.search('VERSION_STRING "([0-9.]+)"', version).group(1)

    def export_sources(self):
        copy(self, "LICENSE", self._root, self.export_sources_folder)
        copy(self, "*.hpp", os.path.join(self._root, "include"), os.path.join(self.export_sources_folder, "include"))

    def requirements(self):
        self.requires("eigen/[>=3.4.0 <6]", transitive_headers=True)
        if self.options.io:
            self.requires("nlohmann_json/[>=3.11.0 <4]", transitive_headers=True)

    def validate(self):
        check_min_cppstd(self, 20)

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(self, "*.hpp", os.path.join(self.source_folder, "include"), os.path.join(self.package_folder, "include"))

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "minrnn")
        core = self.cpp_info.components["minrnn"]
        core.set_property("cmake_target_name", "minrnn::minrnn")
        core.requires = ["eigen::eigen"]
        parts = [core]
        if self.options.io:
            io = self.cpp_info.components["io"]
            io.set_property("cmake_target_name", "minrnn::io")
            io.requires = ["minrnn", "nlohmann_json::nlohmann_json"]
            parts.append(io)
        for part in parts:
            part.bindirs = []
            part.libdirs = []

    @property
    def _root(self):
        return os.path.join(self.recipe_folder, os.pardir, os.pardir, os.pardir)
