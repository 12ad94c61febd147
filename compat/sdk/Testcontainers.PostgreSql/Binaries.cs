using System.Globalization;

namespace Testcontainers.PostgreSql;

/// <summary>Debian's PostgreSQL programs.</summary>
internal static class Binaries
{
    private const string Root = "/usr/lib/postgresql";

    /// <summary>The folder of the image's major version, or of the newest that is installed.</summary>
    public static string For(string image)
    {
        var wanted = image.Split(':').Last().Split('.', '-')[0];
        var installed = (Directory.Exists(Root) ? Directory.GetDirectories(Root) : [])
            .Select(folder => Path.Combine(folder, "bin"))
            .Where(folder => File.Exists(Path.Combine(folder, "initdb")) && File.Exists(Path.Combine(folder, "psql")))
            .OrderByDescending(Major)
            .ToList();
        return installed.Find(folder => folder == $"{Root}/{wanted}/bin")
            ?? installed.FirstOrDefault()
            ?? throw new InvalidOperationException(
                $"There is no PostgreSQL server in {Root}. Install one: apt-get install postgresql-15");
    }

    private static int Major(string folder) =>
        int.TryParse(folder.Split('/')[^2], NumberStyles.None, CultureInfo.InvariantCulture, out var major) ? major : 0;
}
