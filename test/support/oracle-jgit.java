import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.zip.GZIPInputStream;
import org.eclipse.jgit.lib.Repository;
import org.eclipse.jgit.storage.file.FileRepositoryBuilder;
import org.eclipse.jgit.transport.PacketLineOut;
import org.eclipse.jgit.transport.RefAdvertiser;
import org.eclipse.jgit.transport.UploadPack;

/** JGit's upload-pack behind git's smart http, for the repositories of a folder: arguments are the folder and the port. */
class JGitServer {
  public static void main(String[] args) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[1])), 0);
    server.setExecutor(Executors.newCachedThreadPool());
    server.createContext("/", exchange -> answer(new File(args[0]), exchange));
    server.start();
  }

  static void answer(File root, HttpExchange exchange) {
    String path = exchange.getRequestURI().getPath();
    boolean asks = path.endsWith("/info/refs");
    String name = path.replaceAll("/(info/refs|git-upload-pack)$", "");
    try (Repository repository = new FileRepositoryBuilder().setGitDir(new File(root, name)).setMustExist(true).build()) {
      UploadPack pack = new UploadPack(repository);
      pack.setBiDirectionalPipe(false);
      String protocol = exchange.getRequestHeaders().getFirst("Git-Protocol");
      if (protocol != null) pack.setExtraParameters(Set.of(protocol.split(":")));
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      if (asks) {
        pack.sendAdvertisedRefs(
            new RefAdvertiser.PacketLineOutRefAdvertiser(new PacketLineOut(out)), "git-upload-pack");
      } else {
        InputStream in = new ByteArrayInputStream(exchange.getRequestBody().readAllBytes());
        boolean packed = "gzip".equals(exchange.getRequestHeaders().getFirst("Content-Encoding"));
        try {
          pack.upload(packed ? new GZIPInputStream(in) : in, out, null);
        } catch (org.eclipse.jgit.transport.UploadPackInternalServerErrorException said) {
          // It has written to the client what is wrong.
        }
      }
      String type = "application/x-git-upload-pack-" + (asks ? "advertisement" : "result");
      exchange.getResponseHeaders().set("Content-Type", type);
      exchange.sendResponseHeaders(200, out.size());
      exchange.getResponseBody().write(out.toByteArray());
      exchange.close();
    } catch (org.eclipse.jgit.errors.RepositoryNotFoundException missing) {
      end(exchange, 404, missing);
    } catch (Exception failure) {
      end(exchange, 500, failure);
    }
  }

  static void end(HttpExchange exchange, int status, Exception why) {
    try (exchange) {
      byte[] said = String.valueOf(why.getMessage()).getBytes();
      exchange.sendResponseHeaders(status, said.length);
      exchange.getResponseBody().write(said);
    } catch (Exception closed) {
      // Nobody is there to be told.
    }
  }
}
