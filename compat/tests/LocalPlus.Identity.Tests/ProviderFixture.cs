using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;

namespace LocalPlus.Identity.Tests;

/// <summary>A provider on a free port, and browsers for it.</summary>
public sealed class ProviderFixture : IAsyncLifetime
{
    private readonly string _key = Path.GetTempFileName();
    private WebApplication? _app;

    internal LaterTime Time { get; } = new();

    public Uri Address { get; private set; } = new("http://localhost");

    public async Task InitializeAsync()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await File.WriteAllTextAsync(_key, key.ExportPkcs8PrivateKeyPem());
        var settings = new Settings(0, new("https://localplus.local"), _key, new("http://shop.example"));
        _app = Provider.Build(settings, Time);
        await Clients.RegisterAsync(_app.Services, settings);
        await _app.StartAsync();
        Address = new(
            _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()
        );
    }

    public async Task DisposeAsync()
    {
        await _app!.DisposeAsync();
        File.Delete(_key);
    }

    /// <summary>Keeps cookies and shows where it is sent.</summary>
    public HttpClient Browser() =>
        new(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() })
        {
            BaseAddress = Address,
        };
}

/// <summary>The machine's time, or later.</summary>
internal sealed class LaterTime : TimeProvider
{
    public TimeSpan By { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + By;
}
