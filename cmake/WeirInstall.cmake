# cmake --install build/release

install(DIRECTORY include/weir DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

foreach(target weir weir_static weir_shared weir_os_static weir_sim_static)
    if(TARGET ${target})
        install(TARGETS ${target})
    endif()
endforeach()

foreach(section 1 3)
    file(GLOB pages CONFIGURE_DEPENDS docs/man/*.${section})
    if(pages)
        install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
    endif()
endforeach()

if(TARGET weir_os_static)
    set(WEIR_PC_OS_LIBS "-lweir-os ")
endif()
# Relative, so that what is installed can be moved.
file(RELATIVE_PATH WEIR_PC_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/weir.pc.in weir.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/weir.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
