#Embeds storage / migrations/*.sql in qylon_storage.
file(GLOB migrations CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/storage/migrations/*.sql)
set(embedded_migrations ${PROJECT_BINARY_DIR}/embedded_migrations.cpp)
add_custom_command(OUTPUT ${embedded_migrations}
  COMMAND ${CMAKE_COMMAND} -DFOLDER=${PROJECT_SOURCE_DIR}/storage/migrations
          -DOUTPUT=${embedded_migrations} -P ${PROJECT_SOURCE_DIR}/storage/embed_migrations.cmake
  DEPENDS ${migrations} ${PROJECT_SOURCE_DIR}/storage/embed_migrations.cmake
  COMMENT "Embedding migrations")
target_sources(qylon_storage PRIVATE ${embedded_migrations})
