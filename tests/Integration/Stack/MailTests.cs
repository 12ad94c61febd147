using System.Diagnostics;
using System.Net;
using System.Net.Mail;
using LocalPlus.Servers;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Stack;

/// <summary>The local stack's mail: what is sent is a file in the Maildir and a page, and does no harm there.</summary>
public sealed class MailTests : IAsyncLifetime
{
    private readonly (int Smtp, int Page) ports = (FreePort.Next(), FreePort.Next());
    private readonly string folder = Directory.CreateTempSubdirectory("localplus-mail-").FullName;
    private readonly HttpClient client = new();
    private Process mail = null!;

    public async Task InitializeAsync()
    {
        var assembly = Path.Combine(AppContext.BaseDirectory, "LocalPlus.LocalMail.dll");
        mail = Process.Start("dotnet", [assembly, $"{ports.Smtp}", $"{ports.Page}", folder]);
        client.BaseAddress = new Uri($"http://127.0.0.1:{ports.Page}");
        await Eventually.TrueAsync(AnswersAsync);
    }

    public async Task DisposeAsync()
    {
        mail.Kill();
        await mail.WaitForExitAsync();
        mail.Dispose();
        client.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_mail_is_a_file_and_a_page_with_its_text_its_html_and_its_headers()
    {
        using var message = new MailMessage("shop@example.test", "ada@example.test", "A <card> for you", "Your code.");
        message.AlternateViews.Add(
            AlternateView.CreateAlternateViewFromString("<b>Your</b> code<script>alert(1)</script>", null, "text/html")
        );
        using var smtp = new SmtpClient("127.0.0.1", ports.Smtp);
        await smtp.SendMailAsync(message);

        var file = Assert.Single(Directory.GetFiles(Path.Combine(folder, "new")));
        var name = Path.GetFileName(file);
        var list = await client.GetStringAsync(new Uri("/", UriKind.Relative));
        var page = await client.GetStringAsync(new Uri($"/{name}", UriKind.Relative));
        using var html = await client.GetAsync(new Uri($"/{name}/html", UriKind.Relative));

        Assert.Contains($"<a href=\"/{name}\">A &lt;card&gt; for you</a>", list, StringComparison.Ordinal);
        Assert.Contains("Your code.", page, StringComparison.Ordinal);
        Assert.Contains("To: ada@example.test", page, StringComparison.Ordinal);
        Assert.Contains($"<iframe sandbox src=\"/{name}/html\"", page, StringComparison.Ordinal);
        Assert.Contains("<b>Your</b> code", await html.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.StartsWith(
            "sandbox; default-src 'none'",
            html.Headers.GetValues("Content-Security-Policy").Single(),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("/..%2Fnew%2Fx", null, 404)]
    [InlineData("/none", null, 404)]
    [InlineData("/", "mail.example.test", 403)]
    public async Task Nothing_else_is_shown_and_to_no_other_name(string path, string? host, int status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Host = host;

        using var answer = await client.SendAsync(request);

        Assert.Equal((HttpStatusCode)status, answer.StatusCode);
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            using var answer = await client.GetAsync(new Uri("/", UriKind.Relative));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
