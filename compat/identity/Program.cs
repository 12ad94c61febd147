using LocalPlus.Identity;

// LocalPlus.Identity --port PORT --issuer URL --key PEM [--redirect URL]…
var settings = Settings.From(args);
var app = Provider.Build(settings);
await Clients.RegisterAsync(app.Services, settings);
await app.RunAsync();
