using System.Net;
using LocalPlus.LocalMail;
using SmtpServer;

// Two ports and a folder: LocalPlus.LocalMail SMTP_PORT PAGE_PORT MAILDIR.
var (smtp, page, folder) = (int.Parse(args[0], null), int.Parse(args[1], null), new MailFolder(args[2]));
var builder = WebApplication.CreateSlimBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, page));
await using var app = builder.Build();
app.MapMailPages(folder);
await app.StartAsync();

var services = new SmtpServer.ComponentModel.ServiceProvider();
services.Add(new MailStore(folder));
var options = new SmtpServerOptionsBuilder()
    .ServerName("localhost")
    .Endpoint(endpoint => endpoint.Endpoint(new IPEndPoint(IPAddress.Loopback, smtp)))
    .MaxMessageSize(MailFolder.MaxMessageBytes, MaxMessageSizeHandling.Strict)
    .Build();
await new SmtpServer.SmtpServer(options, services).StartAsync(app.Lifetime.ApplicationStopping);
await app.StopAsync();
