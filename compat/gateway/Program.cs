namespace LocalPlus.Gateway;

/// <summary>
/// Reads HTTPRoutes and writes the nginx.conf that does the same on one machine.
/// Exit codes: 0 written, 1 the routes say something that is not understood, 2 usage.
/// </summary>
internal static class Program
{
    private const string Usage =
        "usage: LocalPlus.Gateway --routes FILE --listen ADDRESS:PORT --out FOLDER --backend NAME:PORT=ADDRESS:PORT …";

    private static int Main(string[] args)
    {
        if (Settings.Parse(args) is not { } settings)
        {
            Console.Error.WriteLine(Usage);
            return 2;
        }

        try
        {
            var routes = RouteFile.Read(File.ReadAllText(settings.Routes));
            Directory.CreateDirectory(settings.Out);
            File.WriteAllText(
                Path.Combine(settings.Out, "nginx.conf"),
                NginxConfig.Write(routes, settings.Listen, settings.Backends)
            );
            return 0;
        }
        catch (Exception e) when (e is RouteException or IOException)
        {
            Console.Error.WriteLine($"{settings.Routes}: {e.Message}");
            return 1;
        }
    }

    private sealed record Settings(
        string Routes,
        string Listen,
        string Out,
        IReadOnlyDictionary<string, string> Backends
    )
    {
        public static Settings? Parse(string[] args)
        {
            string? routes = null,
                listen = null,
                folder = null;
            var backends = new Dictionary<string, string>(StringComparer.Ordinal);
            if (args.Length % 2 != 0)
            {
                return null;
            }

            foreach (var pair in args.Chunk(2))
            {
                switch (pair)
                {
                    case ["--routes", var value]:
                        routes = value;
                        break;
                    case ["--listen", var value]:
                        listen = value;
                        break;
                    case ["--out", var value]:
                        folder = value;
                        break;
                    case ["--backend", var value] when value.Split('=') is [var name, var address]:
                        backends[name] = address;
                        break;
                    default:
                        return null;
                }
            }

            return routes is null || listen is null || folder is null
                ? null
                : new Settings(routes, listen, folder, backends);
        }
    }
}
