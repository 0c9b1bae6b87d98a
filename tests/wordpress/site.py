"""A WordPress site for the tests: Debian's files in a folder, its own database, PHP's own web server."""

import json
import os
import shutil
import signal
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from app import __version__
from integrations.wordpress.package import package
from tests.servers import eventually, free_port

DEBIANS = Path("/usr/share/wordpress")
PASSWORD = "a password for the test alone"
_CONFIGURATION = """<?php
define( 'DB_NAME', 'wordpress' );
define( 'DB_USER', 'root' );
define( 'DB_PASSWORD', '' );
define( 'DB_HOST', 'localhost:{socket}' );
define( 'DB_CHARSET', 'utf8mb4' );
define( 'DB_COLLATE', '' );
define( 'AUTH_KEY', 'test' );
define( 'WP_HTTP_BLOCK_EXTERNAL', true );
define( 'AUTOMATIC_UPDATER_DISABLED', true );
define( 'DISABLE_WP_CRON', true );
define( 'WP_DEBUG', true );
define( 'WP_DEBUG_DISPLAY', false );
define( 'WP_DEBUG_LOG', '{log}' );
$table_prefix = 'wp_';
defined( 'ABSPATH' ) || define( 'ABSPATH', __DIR__ . '/' );
require_once ABSPATH . 'wp-settings.php';
"""
_INSTALL = """
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install( 'Mäklarhuset', 'admin', 'admin@example.com', false, '', $argument['password'] );
update_option( 'siteurl', $argument['url'] );
update_option( 'home', $argument['url'] );
wp_insert_user( array(
    'user_login' => 'author', 'user_pass' => $argument['password'], 'user_email' => 'author@example.com',
    'role' => 'author',
) );
$preferences = array( 'core/edit-post' => array( 'welcomeGuide' => false ), '_modified' => gmdate( 'c' ) );
foreach ( get_users() as $user ) {
    update_user_meta( $user->ID, 'wp_persisted_preferences', $preferences );
}
require_once ABSPATH . 'wp-admin/includes/plugin.php';
$failed = activate_plugin( 'intresse/intresse.php' );
echo wp_json_encode( is_wp_error( $failed ) ? $failed->get_error_message() : 'activated' );
"""


@dataclass(frozen=True)
class Site:
    url: str
    folder: Path
    log: Path

    def php(self, code: str, *, before: str = "", **argument: Any) -> Any:
        """What the code prints as JSON, run within WordPress; `$argument` holds what is handed over, `before` is run
        before WordPress is loaded."""
        script = self.folder.parent / "script.php"
        script.write_text(
            "<?php\n"
            f"$_SERVER['HTTP_HOST'] = '{self.url.removeprefix('http://')}';\n"
            f"{before}\n"
            f"require '{self.folder}/wp-load.php';\n"
            "$argument = json_decode( $argv[1], true );\n" + code,
            "utf-8",
        )
        ran = subprocess.run(["php", str(script), json.dumps(argument)], capture_output=True, text=True, timeout=120)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return json.loads(ran.stdout) if ran.stdout else None

    def publish(self, content: str, **meta: str) -> str:
        """The address of a post that the administrator has published."""
        code = """
            wp_set_current_user( 1 );
            kses_init();
            $id = wp_insert_post( array(
                'post_title' => 'Storgatan 1', 'post_content' => wp_slash( $argument['content'] ),
                'post_status' => 'publish', 'post_author' => 1, 'meta_input' => $argument['meta'],
            ) );
            echo wp_json_encode( get_permalink( $id ) );
        """
        address: str = self.php(code, content=content, meta=meta)
        return address

    def configure(self, **settings: Any) -> None:
        self.php("update_option( 'intresse', $argument );", **settings)


@contextmanager
def wordpress(folder: Path) -> Iterator[Site]:
    """Installed, with the plugin's own zip activated and an administrator and an author who may sign in."""
    with ExitStack() as stack:
        socket = _database(stack, folder)
        root = folder / "wordpress"
        shutil.copytree(DEBIANS, root, symlinks=False, ignore_dangling_symlinks=True)
        log = folder / "debug.log"
        configuration = _CONFIGURATION.format(socket=socket, log=log)
        (root / "wp-config.php").unlink()
        (root / "wp-config.php").write_text(configuration, "utf-8")
        with zipfile.ZipFile(package(folder, __version__)) as archive:
            archive.extractall(root / "wp-content/plugins")
        port = free_port()
        site = Site(f"http://127.0.0.1:{port}", root, log)
        assert (
            site.php(_INSTALL, before="define( 'WP_INSTALLING', true );", url=site.url, password=PASSWORD)
            == "activated"
        )
        serving = ["php", "-S", f"127.0.0.1:{port}", "-t", str(root)]
        _running(stack, serving, folder / "php.log", {"PHP_CLI_SERVER_WORKERS": "4"})
        eventually(lambda: _answers(site.url))
        yield site


def _database(stack: ExitStack, folder: Path) -> Path:
    data, socket = folder / "database", folder / "database.socket"
    install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--user=root", "--skip-test-db"]
    subprocess.run([*install, "--auth-root-authentication-method=normal"], check=True, capture_output=True)
    server = ["mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={socket}", "--skip-networking"]
    _running(stack, [*server, "--user=root", f"--pid-file={folder}/database.pid"], folder / "database.log", {})
    client = ["mariadb", "--no-defaults", f"--socket={socket}", "--user=root"]
    eventually(lambda: subprocess.run([*client, "-e", "SELECT 1"], capture_output=True).returncode == 0)
    subprocess.run([*client, "-e", "CREATE DATABASE wordpress CHARACTER SET utf8mb4"], check=True)
    return socket


def _running(stack: ExitStack, command: list[str], log: Path, more: dict[str, str]) -> None:
    output = stack.enter_context(log.open("wb"))
    process = subprocess.Popen(command, stdout=output, stderr=output, env=os.environ | more, start_new_session=True)
    stack.callback(process.wait, 30)
    stack.callback(os.killpg, process.pid, signal.SIGTERM)  # PHP's own workers too


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=30).status_code == 200
    except httpx.TransportError:
        return False
