window.addEventListener("load", () => {
  Redoc.init(
    "/api/v1/openapi.json",
    { hideLoading: true, nativeScrollbars: true },
    document.getElementById("docs"),
  );
});
