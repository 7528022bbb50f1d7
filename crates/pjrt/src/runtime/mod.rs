//! PJRT plug-ins: loading, devices, programs, buffers.
